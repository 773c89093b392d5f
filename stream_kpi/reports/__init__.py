"""Service reports: KPI records of a day, a week or a month as one page, from files or live (pure)."""
