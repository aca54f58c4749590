'use strict';
'require baseclass';
'require loader.map as map';
'require loader.options as options';
'require loader.sections as sections';

/* LuCI's `form`; what it is made of is in loader/. */
return baseclass.extend({ ...map.classes, ...sections.classes, ...options.classes });
