//! Frontends, backends, binds, servers: what requests name and what they do to a configuration.

use http::StatusCode;
use serde_json::{Value, json};

use super::reply::{ApiError, Code};
use super::request::Request;
use crate::config::{LineKind, Params, fields_of};
use crate::{Document, Generation, Section, SectionKind};

/// A collection of objects in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Collection {
    /// Sections of a kind.
    Sections(SectionKind),
    /// Lines of a section: the parent's name.
    Lines(LineKind, String),
}

/// A collection, or one object in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Resource {
    pub(super) collection: Collection,
    pub(super) name: Option<String>,
}

impl Resource {
    /// What the segments of a path below `configuration/` name. Up to generation 2 the parent of binds and servers is a
    /// parameter of the query, from 3 on part of the path.
    pub(super) fn of(
        path: &[&str],
        request: &Request<'_>,
        generation: Generation,
    ) -> Option<Result<Resource, ApiError>> {
        let resource = |collection, name: Option<&&str>| {
            Some(Ok(Resource { collection, name: name.map(|name| (*name).to_owned()) }))
        };
        let (first, rest) = path.split_first()?;
        let section = match *first {
            "frontends" => Some(SectionKind::Frontend),
            "backends" => Some(SectionKind::Backend),
            _ => None,
        };
        let line = |word: &str| match word {
            "binds" => Some(LineKind::Bind),
            "servers" => Some(LineKind::Server),
            _ => None,
        };
        match (section, rest) {
            (Some(kind), []) => resource(Collection::Sections(kind), None),
            (Some(kind), [name]) => resource(Collection::Sections(kind), Some(name)),
            (Some(kind), [parent, child, name @ ..]) if generation.nested() && name.len() <= 1 => {
                let line = line(child).filter(|line| line.parent() == kind)?;
                resource(Collection::Lines(line, (*parent).to_owned()), name.first())
            }
            (None, name) if !generation.nested() && name.len() <= 1 => {
                let line = line(first)?;
                let parent = match request.required(line.parent().keyword()) {
                    Ok(parent) => parent.to_owned(),
                    Err(error) => return Some(Err(error)),
                };
                resource(Collection::Lines(line, parent), name.first())
            }
            _ => None,
        }
    }
}

impl Collection {
    /// The objects, in order of the file.
    pub(super) fn list(&self, document: &Document) -> Result<Value, ApiError> {
        Ok(Value::Array(match self {
            Collection::Sections(kind) => document.of(*kind).map(|section| describe(*kind, section)).collect(),
            Collection::Lines(kind, parent) => {
                let section = document.section(kind.parent(), parent).ok_or_else(|| no_parent(*kind, parent))?;
                kind.read(section).into_iter().map(|(_, line)| Value::Object(line)).collect()
            }
        }))
    }

    /// One object.
    pub(super) fn get(&self, document: &Document, name: &str) -> Result<Value, ApiError> {
        let found = match self {
            Collection::Sections(kind) => document.section(*kind, name).map(|section| describe(*kind, section)),
            Collection::Lines(kind, parent) => {
                let section = document.section(kind.parent(), parent);
                let line = section.and_then(|section| line_called(*kind, section, name));
                line.map(|(_, line)| Value::Object(line))
            }
        };
        found.ok_or_else(|| self.missing(name))
    }

    /// Adds an object.
    pub(super) fn create(&self, document: &mut Document, body: &Params) -> Result<(), ApiError> {
        let name = name_of(body)?;
        let exists = |what: String| Err(ApiError::client(Code::ObjectAlreadyExists, what));
        match self {
            Collection::Sections(kind) => {
                if document.section(*kind, &name).is_some() {
                    return exists(format!("{} {name} already exists", kind.keyword()));
                }
                let mut section = Section::new(*kind, &name);
                fields_of(*kind).write(&mut section, body)?;
                document.push(section);
            }
            Collection::Lines(kind, parent) => {
                let line = kind.print(body)?;
                let section = document.section_mut(kind.parent(), parent).ok_or_else(|| no_parent(*kind, parent))?;
                if line_called(*kind, section, &name).is_some() {
                    let (keyword, owner) = (title(kind.keyword()), kind.parent().keyword());
                    return exists(format!("{keyword} {name} already exists in {owner} {parent}"));
                }
                section.insert(line);
            }
        }
        Ok(())
    }

    /// Replaces an object.
    pub(super) fn replace(&self, document: &mut Document, name: &str, body: &Params) -> Result<(), ApiError> {
        if name_of(body)? != name {
            // The real one would rename lines and ignore the name of sections; clients send the same name.
            return Err(ApiError::schema("name in body must be the name in the path"));
        }
        match self {
            Collection::Sections(kind) => {
                let section = document.section_mut(*kind, name).ok_or_else(|| self.missing(name))?;
                fields_of(*kind).write(section, body)?;
            }
            Collection::Lines(kind, parent) => {
                let line = kind.print(body)?;
                let section = document.section_mut(kind.parent(), parent).ok_or_else(|| self.missing(name))?;
                let (index, _) = line_called(*kind, section, name).ok_or_else(|| self.missing(name))?;
                section.replace(index, line);
            }
        }
        Ok(())
    }

    /// Removes an object.
    pub(super) fn delete(&self, document: &mut Document, name: &str) -> Result<(), ApiError> {
        match self {
            Collection::Sections(kind) => {
                if document.remove(*kind, name) {
                    Ok(())
                } else {
                    Err(self.missing(name))
                }
            }
            Collection::Lines(kind, parent) => {
                let section = document.section_mut(kind.parent(), parent).ok_or_else(|| self.missing(name))?;
                let (index, _) = line_called(*kind, section, name).ok_or_else(|| self.missing(name))?;
                section.remove(index);
                Ok(())
            }
        }
    }

    fn missing(&self, name: &str) -> ApiError {
        let message = match self {
            Collection::Sections(kind) => format!("{} {name} does not exist", title(kind.keyword())),
            Collection::Lines(kind, parent) => {
                let owner = kind.parent().keyword();
                format!("{} {name} does not exist in {owner} {parent}", title(kind.keyword()))
            }
        };
        ApiError::client(Code::ObjectDoesNotExist, message)
    }
}

/// A section as requests see it.
pub(super) fn describe(kind: SectionKind, section: &Section) -> Value {
    let mut fields = fields_of(kind).read(section);
    if !section.name.is_empty() {
        fields.insert("name".to_owned(), json!(section.name));
    }
    Value::Object(fields)
}

fn line_called(kind: LineKind, section: &Section, name: &str) -> Option<(usize, Params)> {
    kind.read(section).into_iter().find(|(_, line)| line.get("name").and_then(Value::as_str) == Some(name))
}

fn no_parent(kind: LineKind, parent: &str) -> ApiError {
    ApiError::client(Code::ParentDoesNotExist, format!("{} {parent} does not exist", kind.parent().keyword()))
}

fn name_of(body: &Params) -> Result<String, ApiError> {
    match body.get("name") {
        None | Some(Value::Null) => Err(ApiError::schema("name in body is required")),
        Some(Value::String(name)) if is_name(name) => Ok(name.clone()),
        Some(Value::String(_)) => Err(ApiError::schema("name in body should match '^[A-Za-z0-9-_.:]+$'")),
        Some(_) => Err(ApiError::plain(StatusCode::BAD_REQUEST, "parsing data body failed, because name is no string")),
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}

/// The keyword with a capital, as messages have it.
fn title(keyword: &str) -> String {
    let mut chars = keyword.chars();
    chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
}
