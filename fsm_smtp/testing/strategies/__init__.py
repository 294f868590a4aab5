"""Strategies of Hypothesis for SMTP. What they make shrinks to what a person would write."""
