"""``python -m train``: see ``python -m train --help`` for the stages in their order."""

from train.cli import main

if __name__ == "__main__":
    main()
