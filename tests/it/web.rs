//! The door for programs: `reflectt serve`.

mod alike;
mod calls;
mod events;
mod load;
mod refused;
mod trouble;
