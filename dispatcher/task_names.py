"""Names of Celery tasks and queues. Constants only: senders and receivers live in different processes."""

TICK = "dispatch.tick"
POST_ANALYSE = "post.analyse"
DELIVER_SEND = "deliver.send"
MEDIA_RUN = "media.run"
MEDIA_SETTLE = "media.settle"

DISPATCH_QUEUE = "dispatch"
MEDIA_QUEUE = "media"
POST_QUEUE = "post"
DELIVER_QUEUE = "deliver"

QUEUES = (DISPATCH_QUEUE, MEDIA_QUEUE, POST_QUEUE, DELIVER_QUEUE)
