"""What people see: mails, the report, charts. Pure: facts in, text out; templates lie in dashboards/templates."""
