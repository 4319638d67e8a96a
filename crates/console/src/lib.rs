//! Web pages of an Abeng node for officers and for the JIO.
