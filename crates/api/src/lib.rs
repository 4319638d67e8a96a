//! The local interface of an Abeng node: the Operator trait, its types, HTTP glue and client.
