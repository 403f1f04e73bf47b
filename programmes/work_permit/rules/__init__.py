"""The rules of work permits: points, the routes into a category, the conditions, and the calculator over them.

All of it is pure: facts, a dated pack and a day in, findings and points out.
"""
