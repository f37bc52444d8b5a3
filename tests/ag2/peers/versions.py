"""What stands at this end."""

from importlib.metadata import version

VERSION = f"ag2 {version('ag2')}, websockets {version('websockets')}"
