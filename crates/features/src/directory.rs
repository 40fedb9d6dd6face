//! The people of a company that is not one.

/// A department and who works there.
pub(crate) struct Department {
    pub(crate) name: &'static str,
    pub(crate) people: [&'static str; 3],
}

/// All departments.
pub(crate) const DEPARTMENTS: [Department; 4] = [
    Department { name: "Engineering", people: ["Alice", "Bob", "Charlie"] },
    Department { name: "Sales", people: ["David", "Eve", "Frank"] },
    Department { name: "Marketing", people: ["Grace", "Henry", "Iris"] },
    Department { name: "Support", people: ["John", "Kim", "Lee"] },
];

/// The names of the departments.
pub(crate) fn departments() -> impl Iterator<Item = &'static str> {
    DEPARTMENTS.iter().map(|department| department.name)
}

/// Who works in `department`: nobody if there is no such one.
pub(crate) fn people(department: &str) -> &'static [&'static str] {
    let found = DEPARTMENTS.iter().find(|each| each.name == department);
    found.map_or(&[], |found| found.people.as_slice())
}
