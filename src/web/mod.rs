//! The team by HTTP, for this machine.
