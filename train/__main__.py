"""``python -m train``; ``python -m train --help`` lists the stages in their order."""

from train.cli import main

if __name__ == "__main__":
    main()
