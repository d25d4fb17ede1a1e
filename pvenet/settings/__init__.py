"""Settings: what options, environment and configuration file say, as one frozen value; and the connection it describes.

An option wins over the environment. Secrets come from the environment, a file, a command or a prompt, never from argv.
"""

from pvenet.settings.connection import connect
from pvenet.settings.options import Options
from pvenet.settings.read import Identity, Settings, load_settings, read_settings

__all__ = ["Identity", "Options", "Settings", "connect", "load_settings", "read_settings"]
