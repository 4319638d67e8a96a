//! What a valid Abeng notice is: types, code lists, identifier checks and handling rules.
