//! What keeps secrets in memory from lying about afterwards: no core dumps, and nobody but root looks in.

use rustix::{
    io,
    process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit},
};

/// For this process and those that it starts: no core files. For this one also no dump through a
/// handler of the system, which does not ask for that limit, and no tracing by other processes of the user.
pub(crate) fn no_dumps() -> io::Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{dumpable_behavior, getrlimit};

    #[test]
    fn nothing_is_dumped_afterwards() {
        no_dumps().unwrap();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
    }
}
