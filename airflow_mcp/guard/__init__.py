"""What stands between a tool and a change: preview, plan, confirmation."""
