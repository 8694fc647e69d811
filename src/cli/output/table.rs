//! Small tables: aligned for a person, separated by tabs for a program.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::domain::key::Escaped;

/// A table whose cells are safe for a terminal, but for a last column of keys.
pub struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<(Vec<String>, Option<Vec<u8>>)>,
}

#[derive(Clone, Copy)]
enum Align {
    Left,
    Right,
}

impl Table {
    /// A table with these columns; a name that begins with `>` is a column of numbers.
    pub fn new(columns: &[&'static str]) -> Self {
        let columns = columns
            .iter()
            .map(|name| match name.strip_prefix('>') {
                Some(name) => (name, Align::Right),
                None => (*name, Align::Left),
            })
            .collect();
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row of as many cells as there are columns.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push((cells.into_iter().collect(), None));
    }

    /// Adds a row whose last cell is a key: escaped on a terminal, exact on a pipe.
    pub fn row_of_key(&mut self, cells: impl IntoIterator<Item = String>, key: &[u8]) {
        self.rows.push((cells.into_iter().collect(), Some(key.to_vec())));
    }

    pub(super) fn write(&self, out: &mut dyn Write, aligned: bool) -> io::Result<()> {
        if !aligned {
            return self.rows.iter().try_for_each(|(cells, key)| write_separated(out, cells, key.as_deref()));
        }
        let names = self.columns.iter().map(|(name, _)| name.to_uppercase()).collect();
        let shown = |(cells, key): &(Vec<String>, Option<Vec<u8>>)| {
            cells.iter().cloned().chain(key.iter().map(|key| Escaped(key).to_string())).collect()
        };
        let lines: Vec<Vec<String>> = std::iter::once(names).chain(self.rows.iter().map(shown)).collect();
        let width = |column: usize| lines.iter().filter_map(|cells| cells.get(column)).map(|cell| cell.width()).max();
        let widths: Vec<usize> = (0..self.columns.len()).map(|column| width(column).unwrap_or(0)).collect();
        lines.iter().try_for_each(|cells| self.write_aligned(out, cells, &widths))
    }

    fn write_aligned(&self, out: &mut dyn Write, cells: &[String], widths: &[usize]) -> io::Result<()> {
        let mut line = String::new();
        for ((cell, width), (_, align)) in cells.iter().zip(widths).zip(&self.columns) {
            let space = " ".repeat(width.saturating_sub(cell.width()));
            match align {
                Align::Left => line.extend([cell.as_str(), &space]),
                Align::Right => line.extend([space.as_str(), cell]),
            }
            line.push_str("  ");
        }
        writeln!(out, "{}", line.trim_end())
    }
}

fn write_separated(out: &mut dyn Write, cells: &[String], key: Option<&[u8]>) -> io::Result<()> {
    out.write_all(cells.join("\t").as_bytes())?;
    if let Some(key) = key {
        out.write_all(b"\t")?;
        out.write_all(key)?;
    }
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(aligned: bool, expected: &[u8]) {
        let mut table = Table::new(&["kind", ">bytes", "key"]);
        table.row_of_key(["object".into(), "5".into()], b"a\tb\xff");
        table.row(["folder".into(), "12,345".into(), "b/".into()]);
        let mut out = Vec::new();
        table.write(&mut out, aligned).expect("memory takes everything");
        assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(expected));
    }

    #[test]
    fn people_get_columns_and_programs_get_tabs_and_exact_keys() {
        check(true, b"KIND     BYTES  KEY\nobject       5  a\\tb\\xff\nfolder  12,345  b/\n");
        check(false, b"object\t5\ta\tb\xff\nfolder\t12,345\tb/\n");
    }
}
