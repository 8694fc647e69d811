//! Where every setting comes from, and what it is.
