//! What several test programs share. Each takes `mod common;` and uses its part.
#![allow(dead_code, reason = "every test program compiles all of this and uses its part")]

pub mod keys;
pub mod pty;
pub mod svg;
