//! The door for agents' harnesses: `reflectt mcp`.

mod economy;
mod lifecycle;
mod servers;
mod work;
