"""``python -m festaf.provider.cli`` is the program ``festaf``."""

from festaf.provider.cli.main import main

if __name__ == "__main__":
    main()
