//! The engine against a plain model of what a broker owes, and the rules one by one.

mod again;
mod anew;
mod kept;
mod model;
mod net;
mod reads;
mod relay_model;
mod relays;
mod rules;
mod scrubbed;
mod streams;
