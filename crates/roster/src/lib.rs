//! Who is a member of an Abeng network, with which keys, and who may send what to whom.
