"""The REST services of plone.restapi: the settings, the status, the queue.

Every service, serializer and deserializer checks the permission itself: the services of
plone.restapi that call a serializer ask for a permission of their own.
"""
