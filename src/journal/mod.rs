//! What is written down: plan files and the append-only record of each run.
