"""How providers become an agent on the line. Only `build.py` names vendors."""
