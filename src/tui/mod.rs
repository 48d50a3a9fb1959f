//! The team on a terminal, live.
