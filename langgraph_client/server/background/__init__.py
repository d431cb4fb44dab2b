"""What runs beside requests: crons, times to live, expiry of events, webhooks."""
