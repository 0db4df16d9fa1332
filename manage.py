#!/usr/bin/env python
"""Django's command line for nasweb."""

import os
import sys


def main() -> None:
    """Run one management command; contradictory settings are reported in one sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nasweb.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
        sys.stdout.flush()
    except ImproperlyConfigured as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # the reader has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
