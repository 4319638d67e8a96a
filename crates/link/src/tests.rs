//! Real endpoints on the loopback interface, and hostile peers written against the wire format.

mod certificates;
mod hostile;
mod linking;
mod pace;
mod path;
mod support;
mod trust;
mod urgency;
