//! Panics of a case: they are bugs of the program itself, and are reported with the case.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A panic that was caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked {
    /// File and line.
    pub place: String,
    /// What it said.
    pub message: String,
}

/// What `work` gives, or how it panicked. Nothing is printed for that.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |info| {
            if CATCHING.get() {
                let place = info.location().map(|place| format!("{}:{}", place.file(), place.line()));
                PLACE.with(|kept| *kept.borrow_mut() = place);
            } else {
                usual(info);
            }
        }));
    });
    CATCHING.set(true);
    // A run has a world of its own: nothing of it is looked at after it broke.
    let result = catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(false);
    result.map_err(|payload| Panicked {
        place: PLACE.with(|kept| kept.borrow_mut().take()).unwrap_or_else(|| "somewhere".to_owned()),
        message: said(payload.as_ref()),
    })
}

fn said(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a word".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_with_its_place() {
        let panicked = caught(|| panic!("it broke")).err().unwrap();
        assert_eq!(panicked.message, "it broke");
        assert!(panicked.place.contains("panics.rs:"), "{}", panicked.place);
        assert!(caught(|| 1).is_ok());
    }
}
