"""The suite; see CONTRIBUTING for what each folder holds. A package, so that no installed `tests` can take its name."""
