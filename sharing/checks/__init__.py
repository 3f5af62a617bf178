"""What is looked for in a package's files before it is shared, by its author and by the registry alike.

Each file beside this one looks for one kind of thing and gives findings. An ``error`` stops a package from being
shared, a ``warning`` is shown to whoever imports it, a ``note`` tells what is unusual.
"""

from festaf.sharing.checks.files import check_files

__all__ = ["check_files"]
