"""``python -m loadedwords``."""

from loadedwords.cli import main

if __name__ == "__main__":
    main()
