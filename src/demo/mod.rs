//! The embedded bucket: a real S3 server in this process, filled with sample data, and a registry beside it.
