"""Who may do what: the handlers of an `Auth`, and the filters that they return."""
