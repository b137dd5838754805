"""`python -P -m wizard`: the engine without the screens."""

from wizard.cli import main

main()
