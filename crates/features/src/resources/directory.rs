//! `demo://directory/{department}/{name}` and its neighbours: the variables of a template depend on
//! each other, and one template is a query.

use rmcp::model::{ResourceContents, ResourceTemplate};
use serde_json::{Value, json};

use super::{Reading, Template, Wanted};
use crate::{
    Glyph,
    completions::Completing,
    directory::{self, DEPARTMENTS, people},
    freshness::Freshness,
};

const JSON: &str = "application/json";

/// Somebody of a department.
pub(crate) struct Person;

impl Template for Person {
    fn definition(&self) -> ResourceTemplate {
        template("demo://directory/{department}/{name}", "Directory Entry")
            .with_title("Directory entry")
            .with_description("Somebody of a department; whom there is depends on the department")
            .with_icons(Glyph::Person.icons())
    }

    fn read(&self, wanted: &Wanted<'_>) -> Option<Reading> {
        let (department, name) = (wanted.values.get("department")?, wanted.values.get("name")?);
        people(department).contains(&name).then(|| reading(wanted, &person(department, name)))
    }

    fn complete(&self, asked: &Completing<'_>) -> Vec<String> {
        match asked.argument {
            "department" => asked.loosely(directory::departments()),
            _ => asked.loosely(people(asked.other("department").unwrap_or_default())),
        }
    }
}

/// Everybody of a department.
pub(crate) struct Department;

impl Template for Department {
    fn definition(&self) -> ResourceTemplate {
        template("demo://directory/{department}", "Directory Department")
            .with_title("Department of the directory")
            .with_description("Everybody of a department")
            .with_icons(Glyph::Person.icons())
    }

    fn read(&self, wanted: &Wanted<'_>) -> Option<Reading> {
        let department = wanted.values.get("department")?;
        let found = DEPARTMENTS.iter().find(|each| each.name == department)?;
        let people = found.people.map(|name| person(department, name));
        Some(reading(wanted, &json!({ "department": department, "people": people })))
    }

    fn complete(&self, asked: &Completing<'_>) -> Vec<String> {
        asked.loosely(directory::departments())
    }
}

/// Those whom a search finds. A search that finds nobody is one as well.
pub(crate) struct Search;

impl Template for Search {
    fn definition(&self) -> ResourceTemplate {
        template("demo://directory{?department,name}", "Directory Search")
            .with_title("Search of the directory")
            .with_description(
                "Those of a department whose names begin like this; without either, everybody",
            )
            .with_icons(Glyph::Person.icons())
    }

    fn read(&self, wanted: &Wanted<'_>) -> Option<Reading> {
        let department = wanted.values.get("department");
        let begins = wanted.values.get("name").unwrap_or_default().to_lowercase();
        let found: Vec<Value> = somewhere(department)
            .filter(|(_, name)| name.to_lowercase().starts_with(&begins))
            .map(|(department, name)| person(department, name))
            .collect();
        Some(reading(wanted, &json!({ "people": found })))
    }

    /// Neither must be known before the other.
    fn complete(&self, asked: &Completing<'_>) -> Vec<String> {
        match asked.argument {
            "department" => {
                let name = asked.other("name");
                let has =
                    |department: &&str| name.is_none_or(|name| people(department).contains(&name));
                asked.loosely(directory::departments().filter(has))
            }
            _ => asked.loosely(somewhere(asked.other("department")).map(|(_, name)| name)),
        }
    }
}

/// Who works in this department, or in any, with the department.
fn somewhere(department: Option<&str>) -> impl Iterator<Item = (&'static str, &'static str)> {
    DEPARTMENTS
        .iter()
        .filter(move |each| department.is_none_or(|department| each.name == department))
        .flat_map(|each| each.people.map(|name| (each.name, name)))
}

fn template(pattern: &str, name: &str) -> ResourceTemplate {
    ResourceTemplate::new(pattern, name).with_mime_type(JSON)
}

/// No name has a character that a URI must encode.
fn person(department: &str, name: &str) -> Value {
    let uri = format!("demo://directory/{department}/{name}");
    json!({ "name": name, "department": department, "uri": uri })
}

fn reading(wanted: &Wanted<'_>, found: &Value) -> Reading {
    let contents = ResourceContents::text(found.to_string(), wanted.uri).with_mime_type(JSON);
    Reading { contents, fresh: Freshness::WITH_VERSION }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::seen;

    fn read(uri: &str) -> Option<Value> {
        let ResourceContents::TextResourceContents { text, .. } = seen().read(uri).ok()?.contents
        else {
            return None;
        };
        serde_json::from_str(&text).ok()
    }

    fn names(uri: &str) -> Vec<String> {
        let people = read(uri).unwrap()["people"].take();
        people
            .as_array()
            .unwrap()
            .iter()
            .map(|each| each["name"].as_str().unwrap().into())
            .collect()
    }

    #[test]
    fn everybody_is_found_by_department_and_name() {
        for (department, name) in somewhere(None) {
            let uri = format!("demo://directory/{department}/{name}");
            let expected = json!({ "name": name, "department": department, "uri": uri });
            assert_eq!(read(&uri), Some(expected), "{uri}");
        }
        assert_eq!(names("demo://directory/Sales"), ["David", "Eve", "Frank"]);
        for nobody in ["Sales/Alice", "Sales/", "sales/Eve", "Magic/Merlin", "Magic", "Sales/Eve/x"]
        {
            assert_eq!(read(&format!("demo://directory/{nobody}")), None, "{nobody}");
        }
    }

    #[test]
    fn a_search_narrows_by_what_it_is_given() {
        assert_eq!(names("demo://directory").len(), 12);
        assert_eq!(names("demo://directory?department=Support"), ["John", "Kim", "Lee"]);
        assert_eq!(names("demo://directory?name=e"), ["Eve"]);
        assert_eq!(names("demo://directory?name=h&department=Marketing"), ["Henry"]);
        assert_eq!(names("demo://directory?department=Magic").len(), 0);
        assert_eq!(read("demo://directory?surname=x"), None);
    }

    #[test]
    fn names_have_nothing_that_a_uri_must_encode() {
        for (department, name) in somewhere(None) {
            assert!(format!("{department}{name}").chars().all(|c| c.is_ascii_alphabetic()));
        }
    }
}
