//! Interpolations: their grammar, following them through a tree, and the resolvers.

pub(super) mod grammar;
mod parts;
mod resolve;
mod resolvers;

pub(super) use resolve::{Found, KEPT, Resolver, World};
