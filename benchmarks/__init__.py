"""The project measured beside what people use today: see docs/performance.md."""
