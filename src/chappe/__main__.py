"""`python -m chappe` is the command `chappe`."""

from chappe.cli import main

if __name__ == "__main__":
    main()
