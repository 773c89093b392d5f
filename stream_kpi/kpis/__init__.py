"""The catalogue: every KPI's definition as one row, its formula over merged panes, and the record it becomes (pure)."""
