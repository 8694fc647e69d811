//! The long work over the ports: list, audit, execute, verify. No terminal, no arguments.
