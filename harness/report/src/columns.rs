//! Texts in columns, for a terminal.

/// Rows of texts one below the other, each column as wide as its widest cell, with two blanks between; the columns named by `right`
/// are aligned to the right. No line ends in blanks.
pub fn columns<R: AsRef<[String]>>(rows: &[R], right: &[usize]) -> String {
    let count = rows.iter().map(|row| row.as_ref().len()).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.as_ref().get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cell = |(column, cell): (usize, &String)| {
            let width = widths[column];
            if right.contains(&column) { format!("{cell:>width$}") } else { format!("{cell:width$}") }
        };
        let cells: Vec<String> = row.as_ref().iter().enumerate().map(cell).collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_as_wide_as_its_widest_cell_in_characters() {
        let rows = [["a", "1", "x"], ["→→→", "22", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(columns(&rows, &[1]), "a     1  x\n→→→  22\n");
        assert_eq!(columns::<Vec<String>>(&[], &[]), "");
    }
}
