//! Wiring a repository into the harnesses of its agents: what goes into which of their files.
