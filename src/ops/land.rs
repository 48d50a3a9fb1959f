//! Landing: bringing approved work onto the landing branch.

mod line;

pub use line::landable;
