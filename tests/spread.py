"""Embed on a local Ray cluster with small parts, in a process that a test can kill.

python -m tests.spread PICTURES OUTPUT MODEL
"""

import sys

from embedlab.cli import main
from embedlab.embedding import parts

if __name__ == "__main__":
    source, output, model = sys.argv[1:]
    parts.FEWEST = 4
    main(["embed", source, output, "-m", model, "--engine", "ray", "--quiet"])
