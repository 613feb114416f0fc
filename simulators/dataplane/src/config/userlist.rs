//! Users and their passwords.

use super::{Document, Section, SectionKind};

/// A user of a `userlist`.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// The password: as it is where `insecure`, else in a format of `crypt(3)`.
    password: String,
    insecure: bool,
}

impl User {
    /// The users of a list, in order.
    pub fn of(document: &Document, userlist: &str) -> Vec<User> {
        let section = document.section(SectionKind::Userlist, userlist);
        section.into_iter().flat_map(Section::directives).filter_map(|words| User::parse(&words)).collect()
    }

    fn parse(words: &[&str]) -> Option<User> {
        match words {
            ["user", name, form @ ("password" | "insecure-password"), password, ..] => Some(User {
                name: (*name).to_owned(),
                password: (*password).to_owned(),
                insecure: *form == "insecure-password",
            }),
            _ => None,
        }
    }

    /// Whether this is the user's password.
    ///
    /// # Errors
    /// The stored password is in a format that is not supported, which the text names.
    pub fn accepts(&self, password: &str) -> Result<bool, String> {
        if self.insecure { Ok(self.password == password) } else { crate::crypt::matches(password, &self.password) }
    }
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_passwords_are_accepted() {
        let document = Document::parse(
            "userlist controller\n  user client insecure-password cert\n  user admin password \
             $1$SaltSalt$YhgRYajLPrYevs14poKBQ0 groups all\n  group all\n",
        );
        let users = User::of(&document, "controller");
        assert_eq!(users.iter().map(|user| user.name.as_str()).collect::<Vec<_>>(), ["client", "admin"]);
        assert_eq!((users[0].accepts("cert"), users[0].accepts("secret")), (Ok(true), Ok(false)));
        assert_eq!((users[1].accepts("secret"), users[1].accepts("cert")), (Ok(true), Ok(false)));
        assert!(User::of(&document, "other").is_empty());
    }
}
