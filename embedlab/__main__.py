"""`python -m embedlab` is the `embedlab` command."""

from embedlab.cli import main

if __name__ == "__main__":
    main()
