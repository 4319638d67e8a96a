//! An Abeng node: wires journal, engine, links and local interface together.
