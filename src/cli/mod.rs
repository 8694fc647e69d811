//! The verbs of the command line, the terminal loop, exit codes.
