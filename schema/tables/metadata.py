"""The one MetaData, its naming convention and the column shapes every table uses."""

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, DateTime, MetaData, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Uuid = UUID(as_uuid=True)
At = DateTime(timezone=True)
Json = JSONB(none_as_null=True)


def id_column() -> Column[object]:
    """Declare the uuid primary key; the database fills it when the writer does not."""
    return Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()"))


def created_at_column() -> Column[object]:
    """Declare the creation instant, by the database's clock."""
    return Column("created_at", At, nullable=False, server_default=text("now()"))


def updated_at_column() -> Column[object]:
    """Declare the instant of the last change; every writer sets it."""
    return Column("updated_at", At, nullable=False, server_default=text("now()"))


def closed(column: str, values: Iterable[StrEnum]) -> CheckConstraint:
    """Constrain a text column to the values of a closed enum."""
    listed = ", ".join(f"'{value.value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=f"{column}_known")


def state_column(name: str, **kwargs: object) -> Column[object]:
    """Declare a required text column that holds an enum's value."""
    return Column(name, Text, nullable=False, **kwargs)  # type: ignore[arg-type]
